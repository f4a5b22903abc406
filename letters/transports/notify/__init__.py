"""GOV.UK Notify: our use of its client, what its statuses mean, and a stub of ours."""
