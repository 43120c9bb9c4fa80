"""Strings that the parts of `filter` share: rules of the firewall, and what is counted."""

NO_RULE = "none"
ADDRESSES, SERVICE, OUTER_FLOW = "outer addresses", "outer service", "outer flow"
INNER_NFT, INNER_U32, NO_ID = "inner, nft", "inner, u32", "inner without id, nft"
CONNTRACK, MASQUERADE = "conntrack", "masquerade"

# Flows of two tenants with the same addresses; a rule is to stop the first.
FLOW_A, OTHER_A, FLOW_B = "tenant A", "tenant A, other port", "tenant B, same flow"
BACK_A = "tenant A, back"
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
FORMAT_2_VALUES = {
    "what": {
        "red": FLOW_A,
        "red, other port": OTHER_A,
        "blue, same flow": FLOW_B,
        "red, back": BACK_A,
    }
}
MANY = 100  # rules whose cost is compared with that of one
