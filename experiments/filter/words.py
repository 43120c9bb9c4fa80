"""Strings that the parts of `filter` share: rules of the firewall, and what is counted."""

NO_RULE = "none"
ADDRESSES, SERVICE, OUTER_FLOW = "outer addresses", "outer service", "outer flow"
INNER_NFT, INNER_U32, NO_ID = "inner, nft", "inner, u32", "inner without id, nft"
CONNTRACK, MASQUERADE = "conntrack", "masquerade"

RED, RED_OTHER, BLUE, BACK = "red", "red, other port", "blue, same flow", "red, back"  # flows
ENTRIES, REPLIED = "entries", "entries with a reply"  # of conntrack

OUTER, INNER, COST = "outer", "inner", "cost"  # what further predictions are about
ABOUT = {  # the rules that a prediction is about
    OUTER: (NO_RULE, ADDRESSES, SERVICE),
    OUTER_FLOW: (OUTER_FLOW,),
    INNER: (NO_ID, INNER_NFT, INNER_U32),
    MASQUERADE: (MASQUERADE,),
    CONNTRACK: (CONNTRACK,),
}
RULES = tuple(rule for rules in ABOUT.values() for rule in rules)  # in the order of reports
PACKETS = 16  # of each flow
BATCH = 100  # packets timed together; after 2 ms the kernel leaves the rest to a thread
MANY = 100  # rules whose cost is compared with that of one
