"""The criteria that come with the product: `criteria.json`, and their code lists, small and of real codes."""
