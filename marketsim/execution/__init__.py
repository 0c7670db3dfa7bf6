"""From forecasts to orders, fills and booked profits."""
