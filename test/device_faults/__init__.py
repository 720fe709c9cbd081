"""Random faults for the back ends whose devices in software belong to the tests; one seed, the same faults.

``PYTHONPATH=test python -m device_faults --rows rows.jsonl`` plays 500 sequences on each.
The promises are those of `dasha_ros.emulators.fault_sequences`: no call hangs, what was reported is so,
nothing outside the limits reaches a device, and every sequence ends with a device that works again.
"""
