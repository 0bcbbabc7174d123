<?php

return [
    // Where the lines go: `php://stderr`, a path such as `/proc/1/fd/2`, `channel:NAME` for a log channel of the app,
    // or `off`.
    'stream' => env('QUEUEWATCH_STREAM', 'php://stderr'),

    // Seconds between a worker's heartbeats; 0 for none.
    'heartbeat' => env('QUEUEWATCH_HEARTBEAT', 60),
];
