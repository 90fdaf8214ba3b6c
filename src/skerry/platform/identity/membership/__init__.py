"""What people are members of elsewhere, read again and again while they are signed in; and whether providers answer."""
