"""The door of chats: verify, store, answer at once; what follows is decided behind it."""
