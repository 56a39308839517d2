"""The door of the status pages: a lean ASGI application in front of Django that answers from memory."""
