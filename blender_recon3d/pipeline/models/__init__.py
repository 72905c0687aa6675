"""The networks of the learned front-ends, their weights, and the devices they run on."""
