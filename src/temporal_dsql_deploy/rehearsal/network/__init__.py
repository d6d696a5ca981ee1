"""The VPC of a rehearsal on this machine: a bridge, addresses, and security groups in nftables.

`addresses` hands out those of subnets; `rules` is what security groups let through; `table` says
it in the language of nft; `walls` keeps the kernel at it; `bridge` makes the device and its Docker
network. What it cannot show: network ACLs, routes and NAT, and anything but TCP, which passes.
"""
