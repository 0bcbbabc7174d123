<?php

namespace App\Jobs;

class Plain extends Job
{
    public $tries = 3;

    public $timeout = 60;

    public function handle()
    {
        usleep(1000);
    }
}
