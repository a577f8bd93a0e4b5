"""What a process sets before its work: its output's encoding, and imports that cost less."""
