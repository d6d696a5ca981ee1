"""What verbs do on ECS otherwise than on this machine."""
