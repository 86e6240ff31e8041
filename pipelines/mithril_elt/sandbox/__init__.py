"""The sandbox: a made-up account, its true figures, and a server that shows it over HTTP.

Stands before `endpoints`, in the place of the real API: nothing downstream imports it.
"""
