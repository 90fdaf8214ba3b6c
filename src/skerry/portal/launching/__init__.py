"""Between a filled-in form and a Release: the chart, what it comes to, what that costs, the same by command."""
