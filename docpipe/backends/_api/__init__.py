"""What stands beside a model that is asked over HTTP: what a call costs, how fast it may come, when to leave its host alone, what is known
already. Each part by itself, none of them speaks HTTP."""
