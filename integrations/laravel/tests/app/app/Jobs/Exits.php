<?php

namespace App\Jobs;

class Exits extends Job
{
    public function handle()
    {
        exit(3);
    }
}
