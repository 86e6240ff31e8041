"""The site of the documentation, made by `make docs`: the pages of docs/, and what follows from the project itself."""
