"""What assets and sensors need from outside: each resource builds a plain object and has no logic of its own."""
