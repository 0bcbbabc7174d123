<?php

use Monolog\Handler\StreamHandler;

return [
    'default' => 'stderr',
    'channels' => [
        'stderr' => [
            'driver' => 'monolog',
            'handler' => StreamHandler::class,
            'with' => ['stream' => 'php://stderr'],
        ],
        'broken' => ['driver' => 'single', 'path' => '/proc/nowhere/laravel.log'],
        'file' => ['driver' => 'single', 'path' => storage_path('logs/laravel.log')],
    ],
];
