"""Accounts with passwords kept here, and links that let somebody set one."""
