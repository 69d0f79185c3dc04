"""Other people's languages in front of cases: Open311, the hotline, a conversation. Doors never import each other."""
