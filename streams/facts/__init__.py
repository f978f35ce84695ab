"""The facts processor: names, inference tokens and leaderboard ratings."""
