<?php

namespace App\Jobs;

/** Takes more memory than there is, which nothing can catch. */
class Fatal extends Job
{
    public function handle()
    {
        ini_set('memory_limit', (string) (memory_get_usage(true) + 4 * 1024 * 1024));
        str_repeat('x', 64 * 1024 * 1024);
    }
}
