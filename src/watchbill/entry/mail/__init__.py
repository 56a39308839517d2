"""How mail comes in: the mailbox that is looked into (IMAP), the address to which it is posted, the command for a pipe."""
