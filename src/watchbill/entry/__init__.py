"""The doors: web, api, intake, cli, worker. Parse, authorise, call one action, render. Only doors read the clock."""
