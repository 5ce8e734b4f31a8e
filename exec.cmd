@rem npm runs `exec node ...` through cmd.exe here, which has no exec: this is it.
@%*
