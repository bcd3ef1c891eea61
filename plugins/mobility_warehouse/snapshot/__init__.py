"""The shipped snapshot: its builder and the replay server that speaks each source's protocol."""
