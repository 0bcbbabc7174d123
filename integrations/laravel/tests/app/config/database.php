<?php

return [
    'default' => 'sqlite',
    'connections' => [
        'sqlite' => [
            'driver' => 'sqlite',
            'database' => storage_path('app.sqlite'),
            'prefix' => '',
            'foreign_key_constraints' => true,
        ],
    ],
    'redis' => [
        'client' => 'phpredis',
        'options' => ['prefix' => 'test_database_'],
        'default' => [
            'host' => '127.0.0.1',
            'port' => env('REDIS_PORT', 6379),
            'database' => 0,
        ],
    ],
];
