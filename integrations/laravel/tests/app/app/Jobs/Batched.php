<?php

namespace App\Jobs;

use Illuminate\Bus\Batchable;

class Batched extends Job
{
    use Batchable;

    public function handle()
    {
        usleep(1000);
    }
}
