<?php

namespace App\Jobs;

class Retried extends Job
{
    public $tries = 2;

    public function handle()
    {
        if ($this->attempts() === 1) {
            throw new \RuntimeException('once is nothing');
        }
    }
}
