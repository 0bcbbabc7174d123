<?php

namespace App\Jobs;

class Released extends Job
{
    public $tries = 2;

    public function handle()
    {
        if ($this->attempts() === 1) {
            $this->release(1);
        }
    }
}
