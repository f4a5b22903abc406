"""What hospital units do: send lists, decide who is meant, take a request back; and the tokens of their computers."""
