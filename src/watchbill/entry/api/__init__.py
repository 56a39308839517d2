"""The API: what a person can do in the pages, a program can do at /api/ (OpenAPI 3.1).

To add an operation, write it in the file of its domain with a summary, `auth=may(<scope>)` and
`response=answers(<model>)`; to add a domain, write a file with a `router` and name it in door.py. The rules are:
a person sees their own teams and nothing else exists for them (visible.py); lists are paged by key
(paging_by_key.py); whatever an action refuses is said in one shape (errors.py). Authorisation is the actions'.
"""
