"""What a compute host's switches must do, and the controller that makes them do it."""
