"""A whole environment with nothing spent: emulated AWS, in which the real Terraform applies.

`rehearse` goes on where an apply ends: the emulated ECS starts real containers on a bridge that has
the VPC's addresses, and nftables holds the security groups of the plan between them. What a
rehearsal cannot show, because its AWS is a stand-in (moto, with the extensions beside it):

* Permission. Every caller may do everything: policies are kept and shown, never applied, neither
  those of roles nor of keys, endpoints and domains.
* The network beyond security groups: routes, NAT, endpoints and PrivateLink are records that no
  packet meets.
* Limits, prices, capacity and time. No quota is reached, no instance type is missing in a zone,
  everything is ready at once, nothing fails later, and nothing of a region's own is known.
* Most refusals. AWS checks arguments that moto takes as they are: a name too long, a CIDR that
  overlaps, an engine version that does not exist.
* What is played by others: no instance boots and reads its user data, DSQL is PostgreSQL without
  its limits and its IAM, the domain a single OpenSearch without its access policy. `rehearse` names
  each stand-in and each override, with what it cannot show.

So an apply that fails here fails in AWS too, or a stand-in lacks something and says so ("the
emulated AWS has no ..."). One that succeeds has shown that Terraform, the provider and the modules
agree on what there is to do, that a second plan finds nothing, and that all of it can be destroyed
again; a rehearsal with a green probe, that the task definitions start, find and reach each other.
"""
