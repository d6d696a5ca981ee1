"""An emulated ECS that starts containers: a part of the process of the emulated AWS.

`decide` says what the scheduler of a service does next, `placing` which instance carries a task,
`definition` and `commands` what a task is and how Docker is asked for it: all by arithmetic alone.
`scheduler` does what they say, `life` is the life of one task, `fleet` the EC2 instances, `answers`
what the API says of all that.

What it does not show: instances are records, whose CPU, memory and interfaces are only counted;
all containers run on this machine, with the memory limit of their own container or task. The
Service Connect proxy is a relay that balances connections, not Envoy. Nothing scales in, no load
balancer has targets, no volume is more than a folder of this machine.
"""
