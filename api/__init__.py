"""How people and programs reach Xunge: pages, JSON, command line, jobs, sign-in."""
