"""The networks of the learned front-end, their weights, and the devices they run on."""
