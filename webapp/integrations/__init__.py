"""What may be called: connections, their actions, authorization, OAuth."""
