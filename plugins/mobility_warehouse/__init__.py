"""Health Worker Mobility Warehouse: monitoring of the WHO Global Code of Practice."""
