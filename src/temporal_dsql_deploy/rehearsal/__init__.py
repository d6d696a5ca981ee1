"""A whole environment with nothing spent: emulated AWS, in which the real Terraform applies.

What a rehearsal cannot show, because its AWS is a stand-in (moto, with the extensions beside it):

* Permission. Every caller may do everything: policies are kept and shown, never applied, neither
  those of roles nor of keys, endpoints and domains.
* The network. VPCs, routes, security groups and endpoints are records that no packet meets.
* Limits, prices, capacity and time. No quota is reached, no instance type is missing in a zone,
  everything is ready at once, nothing fails later, and nothing of a region's own is known.
* Most refusals. AWS checks arguments that moto takes as they are: a name too long, a CIDR that
  overlaps, an engine version that does not exist.
* What would run: no instance boots and reads its user data, no domain or workspace answers, no
  name resolves; DSQL is a record with an endpoint that leads nowhere.

So an apply that fails here fails in AWS too, or a stand-in lacks something and says so ("the
emulated AWS has no ..."); one that succeeds has only shown that Terraform, the provider and the
modules agree on what there is to do, that a second plan finds nothing, and that all of it can be
destroyed again.
"""
