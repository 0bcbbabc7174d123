<?php

namespace App\Jobs;

class Failing extends Job
{
    public function handle()
    {
        throw new \RuntimeException('no such avatar');
    }
}
