<?php

namespace App\Jobs;

/** The job that the README has for an example. */
class GenerateAvatarImagesJob extends Job
{
    public function handle()
    {
        usleep(1000);
    }
}
