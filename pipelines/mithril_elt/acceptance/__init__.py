"""What is to hold of the connector, checked against an account: see `points`.

Stands on `load` and `transform`.
"""
