<?php

namespace App\Jobs;

class Slow extends Job
{
    public $tries = 2;

    private $seconds;

    public function __construct($seconds)
    {
        $this->seconds = $seconds;
    }

    public function handle()
    {
        // Whole seconds at once would be cut short by any signal.
        for ($end = microtime(true) + $this->seconds; microtime(true) < $end;) {
            usleep(10000);
        }
    }
}
