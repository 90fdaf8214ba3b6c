"""Pools of addresses for LoadBalancer Services as objects declare them: for who gives them out and who announces."""
