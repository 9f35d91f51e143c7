# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ostree_global_optspecs
    string join \n v/verbose version h/help
end

function __fish_ostree_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ostree_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ostree_using_subcommand
    set -l cmd (__fish_ostree_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ostree -n "__fish_ostree_needs_command" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_needs_command" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_needs_command" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "admin" -d 'Manage the deployments of a host'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "cat" -d 'Print files of a commit'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "checkout" -d 'Write the files of a commit to a directory'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "checksum" -d 'Print the checksum a file or directory would have in a commit'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "commit" -d 'Record a tree of files as a new commit'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "config" -d 'Read and change the repository\'s configuration'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "create-usb" -d 'Copy refs of collections to a USB stick'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "diff" -d 'Compare two commits or directories'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "du" -d 'Show what refs take of the disk, alone and together with others'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "export" -d 'Write a commit as a tar archive'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "find-remotes" -d 'Find remotes that have the given refs of collections'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "fsck" -d 'Check that every object is there and whole'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "gpg-sign" -d 'Sign a commit with GPG keys'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "init" -d 'Create an empty repository'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "log" -d 'Show the commit and its parents'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "ls" -d 'List files in a commit'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "prune" -d 'Delete objects that no commit or ref needs'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "pull" -d 'Fetch commits from a remote'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "pull-local" -d 'Copy commits from a repository on this machine'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "push" -d 'Bring commits to another machine or an object store that clients pull from'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "refs" -d 'List, create and delete refs'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "remote" -d 'Manage remotes, and ask them for their refs'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "reset" -d 'Point a ref at another commit'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "rev-parse" -d 'Print the commit a revision stands for'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "serve" -d 'Serve a repository over HTTP until stopped'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "show" -d 'Print a commit or another object'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "sign" -d 'Sign a commit with plain keys, or verify its signatures'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "static-delta" -d 'Make, apply and list static deltas: what changed, as few files'
complete -c ostree -n "__fish_ostree_needs_command" -f -a "summary" -d 'Write or print the summary, which lists all refs for clients'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -l print-current-dir -d 'Print the path of the deployment that boots next'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "cleanup" -d 'Delete untagged deployments and repository objects'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "config-diff" -d 'Diff current /etc configuration versus default'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "deploy" -d 'Checkout revision REFSPEC as the new default deployment'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "init-fs" -d 'Initialize a root filesystem'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "os-init" -d 'Initialize empty state for given operating system'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "stateroot-init" -d 'Initialize empty state for given operating system'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "pin" -d 'Change the "pinning" state of a deployment, INDEX can be >= 0 or one of booted, pending or rollback strings'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "set-origin" -d 'Set Origin and create a new origin file'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "status" -d 'List deployments'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "switch" -d 'Construct new tree from REFSPEC and deploy it'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "undeploy" -d 'Delete deployment INDEX'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "set-default" -d 'Make deployment INDEX the default'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "upgrade" -d 'Construct new tree from current origin and deploy it, if it changed'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and not __fish_seen_subcommand_from cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs" -f -a "kargs" -d 'Change kernel arguments'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from cleanup" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from cleanup" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from cleanup" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from cleanup" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from config-diff" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from config-diff" -l os -d 'Use a different operating system root than the current one' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from config-diff" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from config-diff" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from config-diff" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l os -d 'Use a different operating system root than the current one' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l stateroot -d 'Target the provided stateroot' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l origin-file -d 'Specify origin file' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l karg -d 'Set kernel argument, like root=/dev/sda1; this overrides any earlier argument with the same name' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l karg-append -d 'Append kernel argument; useful with e.g. console= that can be used multiple times' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l karg-delete -d 'Delete kernel argument if exists, can be used multiple times' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l overlay-initrd -d 'Overlay initramfs file' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l no-prune -d 'Don\'t prune the repo when done'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l no-merge -d 'Do not apply configuration (/etc and kernel arguments) from booted deployment'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l retain -d 'Do not delete previous deployments'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l stage -d 'Complete deployment at OS shutdown'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l lock-finalization -d 'Prevent automatic deployment finalization on shutdown'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l retain-pending -d 'Do not delete pending deployments'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l retain-rollback -d 'Do not delete rollback deployments'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l not-as-default -d 'Append rather than prepend new deployment'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l karg-proc-cmdline -d 'Import current /proc/cmdline'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l karg-none -d 'Do not import kernel arguments'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from deploy" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from init-fs" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from init-fs" -s E -l epoch -d 'Layout: 0 with the folders of a root file system, 1 as --modern, 2 closed to all but root' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from init-fs" -l repo-mode -d 'Mode of the repository (default: bare); an ordinary user can deploy from bare-user-only' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from init-fs" -l modern -d 'Only create /boot and /ostree'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from init-fs" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from init-fs" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from init-fs" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from os-init" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from os-init" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from os-init" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from os-init" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from stateroot-init" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from stateroot-init" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from stateroot-init" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from stateroot-init" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from pin" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from pin" -s u -l unpin -d 'Unset pin'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from pin" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from pin" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from pin" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from set-origin" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from set-origin" -s s -l set -d 'Set config option KEY=VALUE for remote' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from set-origin" -l index -d 'Operate on the deployment INDEX, starting from zero' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from set-origin" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from set-origin" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from set-origin" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from status" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from status" -s V -l verify -d 'Print the commit verification status'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from status" -s J -l json -d 'Emit JSON'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from status" -s S -l skip-signatures -d 'Skip signatures in output'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from status" -s D -l is-default -d 'Output "default" if booted into the default deployment, otherwise "not-default"'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from status" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from status" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from switch" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from switch" -l os -d 'Use a different operating system root than the current one' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from switch" -s r -l reboot -d 'Reboot after switching trees'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from switch" -s k -l kexec -d 'Stage new kernel in kexec'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from switch" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from switch" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from switch" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from undeploy" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from undeploy" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from undeploy" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from undeploy" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from set-default" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from set-default" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from set-default" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from set-default" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from upgrade" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from upgrade" -l os -d 'Use a different operating system root than the current one' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from upgrade" -l override-commit -d 'Deploy CHECKSUM instead of the latest tree' -r
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from upgrade" -s r -l reboot -d 'Reboot after a successful upgrade'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from upgrade" -s k -l kexec -d 'Stage new kernel in kexec'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from upgrade" -l allow-downgrade -d 'Permit deployment of chronologically older trees'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from upgrade" -l pull-only -d 'Do not create a deployment, just download'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from upgrade" -l deploy-only -d 'Do not pull, only deploy'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from upgrade" -l stage -d 'Enable staging (finalization at reboot time)'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from upgrade" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from upgrade" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from upgrade" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from kargs" -l sysroot -d 'Sysroot to work on (default: /)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from kargs" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from kargs" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand admin; and __fish_seen_subcommand_from kargs" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand cat" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand cat" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand cat" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand cat" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l subpath -d 'Check out this path of the commit only' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l from-file -d 'Read commits and paths from a file' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l fsync -d 'Whether to sync files to disk (a boolean; default: false)' -r
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l skip-list -d 'File with paths to leave out' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l selinux-policy -d 'Label files by the SELinux policy of the root file system PATH; implies --force-copy' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l selinux-prefix -d 'Prefix of all paths when they are labelled' -r
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -s U -l user-mode -d 'Leave owners and extended attributes alone'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l disable-cache -d 'Do not use the cache of unpacked files'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l union -d 'Keep directories, replace files'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l union-add -d 'Keep directories and files, add what is missing'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l union-identical -d 'Keep directories, add files; files that are there must be the same'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l whiteouts -d 'Act on whiteouts as container images have them (.wh.NAME)'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l process-passthrough-whiteouts -d 'Turn .ostree-wh.NAME into overlayfs whiteouts, char devices 0:0'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l allow-noent -d 'Do nothing if the path is not in the commit'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l from-stdin -d 'Read commits and paths from standard input, as pairs ended by NUL bytes'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -s H -l require-hardlinks -d 'Fail where a file cannot be hard-linked'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -s C -l force-copy -d 'Copy all files, never hard-link'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -s M -l bareuseronly-dirs -d 'Directory modes within 0775'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l composefs -d 'Write a composefs image instead of files'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l composefs-noverity -d 'Write a composefs image without fs-verity digests'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand checkout" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand checksum" -l ignore-xattrs -d 'Leave extended attributes out'
complete -c ostree -n "__fish_ostree_using_subcommand checksum" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand checksum" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand checksum" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l parent -d 'Checksum of the parent commit, or "none"' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -s s -l subject -d 'One line about the commit' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -s m -l body -d 'More about the commit' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -s F -l body-file -d 'Take the body from a file' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand commit" -s b -l branch -d 'Ref to write' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l bind-ref -d 'Record this ref in the commit too' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l add-metadata-string -d 'Metadata: a string' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l add-metadata -d 'Metadata: a value in GVariant text format' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l keep-metadata -d 'Metadata: take KEY from the parent' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l add-detached-metadata-string -d 'Metadata kept outside the commit: a string' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l base -d 'Start from this commit\'s tree, which no option modifies' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l tree -d 'Lay this tree over those before it' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l owner-uid -d 'Owner of every file' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l owner-gid -d 'Group of every file' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l selinux-policy -d 'Label files by the SELinux policy of the root file system PATH' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l selinux-labeling-epoch -d 'Labelling rules: 0, or 1 to label /usr/etc as /etc' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l tar-pathname-filter -d 'Rewrite the paths in a tar archive' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l statoverride -d 'File with lines [=]MODE /PATH: modes to add or to set' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l skip-list -d 'File with paths to leave out' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l gpg-sign -d 'Sign with this GPG key (repeatable)' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l gpg-homedir -d 'GnuPG home with the secret keys' -r -f -a "(__fish_complete_directories)"
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l sign -d 'Sign with this secret key (repeatable)' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l sign-type -d 'Kind of signature (default: ed25519)' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l sign-from-file -d 'Sign with the secret keys in this file' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l fsync -d 'Whether to sync written data to disk (a boolean; default: true)' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l timestamp -d 'Date of the commit, as GNU date reads it' -r
complete -c ostree -n "__fish_ostree_using_subcommand commit" -s e -l editor -d 'Write subject and body in an editor'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l orphan -d 'Write no ref'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l no-bindings -d 'Record no refs in the commit'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l bootable -d 'Mark the commit as bootable; it must hold exactly one kernel'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l generate-sizes -d 'Record the sizes of all objects'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l generate-composefs-metadata -d 'Record the digest of the composefs image'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l canonical-permissions -d 'Owner root:root, modes within 0755, no extended attributes'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l mode-ro-executables -d 'Clear the write bits of executables'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l no-xattrs -d 'Drop extended attributes'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -s P -l selinux-policy-from-base -d 'Label files by the SELinux policy of --base or the first --tree'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l link-checkout-speedup -d 'Know files hard-linked from the repository by their inode'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -s I -l devino-canonical -d 'Trust that such files are unmodified (implies --link-checkout-speedup)'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l tar-autocreate-parents -d 'Make missing parent directories of a tar archive'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l skip-if-unchanged -d 'If the tree is that of the parent, write nothing and print the parent'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l consume -d 'Delete the files of local directories once they are in the repository'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l table-output -d 'Print what was written as lines KEY: VALUE'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand commit" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand config" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand config" -l group -d 'Section the key is in; without it the key is written SECTION.KEY' -r
complete -c ostree -n "__fish_ostree_using_subcommand config" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand config" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand config" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand config" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand create-usb" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand create-usb" -l destination-repo -d 'Write to this repository on the stick (default: .ostree/repo)' -r
complete -c ostree -n "__fish_ostree_using_subcommand create-usb" -l commit -d 'Copy this commit of the ref, of which there must be one only' -r
complete -c ostree -n "__fish_ostree_using_subcommand create-usb" -l disable-fsync -d 'Do not sync to disk'
complete -c ostree -n "__fish_ostree_using_subcommand create-usb" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand create-usb" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand create-usb" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand diff" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand diff" -l owner-uid -d 'Take files on disk as owned by this user' -r
complete -c ostree -n "__fish_ostree_using_subcommand diff" -l owner-gid -d 'Take files on disk as owned by this group' -r
complete -c ostree -n "__fish_ostree_using_subcommand diff" -l stats -d 'Print how many objects the commits share'
complete -c ostree -n "__fish_ostree_using_subcommand diff" -l fs-diff -d 'Print the files that differ (the default)'
complete -c ostree -n "__fish_ostree_using_subcommand diff" -l no-xattrs -d 'Leave extended attributes of directories on disk out'
complete -c ostree -n "__fish_ostree_using_subcommand diff" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand diff" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand diff" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand diff" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand du" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand du" -l depth -d 'Parents to count behind each commit (default: -1, all)' -r
complete -c ostree -n "__fish_ostree_using_subcommand du" -l sort -d 'Largest first by exclusive (the default), shared, disk, unpacked, objects or commits; or by name' -r
complete -c ostree -n "__fish_ostree_using_subcommand du" -l bytes -d 'Print bytes, not rounded'
complete -c ostree -n "__fish_ostree_using_subcommand du" -l allocated -d 'Count the blocks that objects take of the file system, not their bytes'
complete -c ostree -n "__fish_ostree_using_subcommand du" -l json -d 'Print JSON, always with both sizes'
complete -c ostree -n "__fish_ostree_using_subcommand du" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand du" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand du" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand export" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand export" -l subpath -d 'Write this directory of the commit only' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand export" -l prefix -d 'Put this in front of all paths' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand export" -s o -l output -d 'Write to this file, not to standard output' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand export" -l no-xattrs -d 'Leave extended attributes out (always done)'
complete -c ostree -n "__fish_ostree_using_subcommand export" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand export" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand export" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand find-remotes" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand find-remotes" -l cache-dir -d 'Keep summaries in this folder, in place of the repository\'s own' -r -f -a "(__fish_complete_directories)"
complete -c ostree -n "__fish_ostree_using_subcommand find-remotes" -l finders -d 'Where to look, separated by commas: config, mount, lan (default: core.default-repo-finders, else config,mount)' -r
complete -c ostree -n "__fish_ostree_using_subcommand find-remotes" -l disable-fsync -d 'Do not sync to disk'
complete -c ostree -n "__fish_ostree_using_subcommand find-remotes" -l pull -d 'Pull what is found, the newest commit of each ref'
complete -c ostree -n "__fish_ostree_using_subcommand find-remotes" -l mirror -d 'Write refs as those of their collections, not of remotes (with --pull)'
complete -c ostree -n "__fish_ostree_using_subcommand find-remotes" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand find-remotes" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand find-remotes" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand find-remotes" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand fsck" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand fsck" -l repair -d 'Replace damaged and missing objects by good ones of this remote or repository; may be repeated. Checkouts that are hard links to a damaged file keep it' -r
complete -c ostree -n "__fish_ostree_using_subcommand fsck" -l add-tombstones -d 'Replace commits whose parent is missing by tombstones'
complete -c ostree -n "__fish_ostree_using_subcommand fsck" -s q -l quiet -d 'Print no headings'
complete -c ostree -n "__fish_ostree_using_subcommand fsck" -s a -l all -d 'Go on after the first error'
complete -c ostree -n "__fish_ostree_using_subcommand fsck" -l delete -d 'Delete damaged objects'
complete -c ostree -n "__fish_ostree_using_subcommand fsck" -l verify-bindings -d 'Check that refs point to commits made for them'
complete -c ostree -n "__fish_ostree_using_subcommand fsck" -l verify-back-refs -d 'Check that commits are where the refs they were made for point (implies --verify-bindings)'
complete -c ostree -n "__fish_ostree_using_subcommand fsck" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand fsck" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand fsck" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand fsck" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand gpg-sign" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand gpg-sign" -l gpg-homedir -d 'GnuPG home with the secret keys' -r -f -a "(__fish_complete_directories)"
complete -c ostree -n "__fish_ostree_using_subcommand gpg-sign" -s d -l delete -d 'Delete the signatures of these keys'
complete -c ostree -n "__fish_ostree_using_subcommand gpg-sign" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand gpg-sign" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand gpg-sign" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand init" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand init" -l mode -d 'How objects are stored: bare, bare-user, bare-user-only or archive (default: bare)' -r
complete -c ostree -n "__fish_ostree_using_subcommand init" -l collection-id -d 'Globally unique name of the collection this repository\'s refs belong to' -r
complete -c ostree -n "__fish_ostree_using_subcommand init" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand init" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand init" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand log" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand log" -l raw -d 'Print each commit as a GVariant, integers byte-swapped'
complete -c ostree -n "__fish_ostree_using_subcommand log" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand log" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand log" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand log" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand ls" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand ls" -s d -l dironly -d 'List a directory itself, not what is in it'
complete -c ostree -n "__fish_ostree_using_subcommand ls" -s R -l recursive -d 'Descend into directories'
complete -c ostree -n "__fish_ostree_using_subcommand ls" -s C -l checksum -d 'Print checksums (of directories: listing and metadata)'
complete -c ostree -n "__fish_ostree_using_subcommand ls" -s X -l xattrs -d 'Print extended attributes'
complete -c ostree -n "__fish_ostree_using_subcommand ls" -l nul-filenames-only -d 'Print paths only, each ended by a NUL byte'
complete -c ostree -n "__fish_ostree_using_subcommand ls" -l json -d 'Print JSON, always with checksums and attributes'
complete -c ostree -n "__fish_ostree_using_subcommand ls" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand ls" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand ls" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand prune" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand prune" -l depth -d 'Parents to keep behind each ref (default: -1, all)' -r
complete -c ostree -n "__fish_ostree_using_subcommand prune" -l delete-commit -d 'Delete this commit first' -r
complete -c ostree -n "__fish_ostree_using_subcommand prune" -l keep-younger-than -d 'Delete commits older than this, but no tip of a ref' -r
complete -c ostree -n "__fish_ostree_using_subcommand prune" -l retain-branch-depth -d 'Parents to keep behind one ref' -r
complete -c ostree -n "__fish_ostree_using_subcommand prune" -l only-branch -d 'Delete from this ref only; may be repeated' -r
complete -c ostree -n "__fish_ostree_using_subcommand prune" -l no-prune -d 'Only print what would be deleted'
complete -c ostree -n "__fish_ostree_using_subcommand prune" -l refs-only -d 'Delete commits, too, that no ref leads to'
complete -c ostree -n "__fish_ostree_using_subcommand prune" -l static-deltas-only -d 'With --delete-commit: delete the static deltas to the commit, not the commit'
complete -c ostree -n "__fish_ostree_using_subcommand prune" -l commit-only -d 'Delete commit objects only'
complete -c ostree -n "__fish_ostree_using_subcommand prune" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand prune" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand prune" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand prune" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l cache-dir -d 'Keep summaries in this folder, in place of the repository\'s own' -r -f -a "(__fish_complete_directories)"
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l subpath -d 'Fetch only what is at or below this path (repeatable)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l depth -d 'Parents to fetch (default: 0; -1 for all)' -r
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l url -d 'Fetch from this URL, in place of the remote\'s' -r
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l http-header -d 'Send this header with every request (repeatable)' -r
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l update-frequency -d 'Milliseconds between updates of the bar' -r
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l network-retries -d 'How often a request is tried again after an error (default: 5)' -r
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l low-speed-limit-bytes -d 'Give up a transfer that is slower than this many bytes a second (default: 1000)' -r
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l low-speed-time-seconds -d '… for this many seconds (default: 30)' -r
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l max-outstanding-fetcher-requests -d 'Requests at the same time (default: 8)' -r
complete -c ostree -n "__fish_ostree_using_subcommand pull" -s L -l localcache-repo -d 'Take objects from this repository where it has them (repeatable)' -r -f -a "(__fish_complete_directories)"
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l timestamp-check-from-rev -d 'Refuse commits older than this one' -r
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l commit-metadata-only -d 'Fetch the commit objects only'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l disable-fsync -d 'Do not sync to disk'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l per-object-fsync -d 'Sync each file by itself'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l disable-static-deltas -d 'Use no static deltas'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l require-static-deltas -d 'Fail unless there are static deltas'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l disable-retry-on-network-errors -d 'Do not try again after a network error'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l mirror -d 'Write refs as the server has them, and fetch all of them unless some are named'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l untrusted -d 'Check objects from local repositories (those from the network always are)'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l http-trusted -d 'Do not check objects from a local cache repository'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l bareuseronly-files -d 'Refuse files with mode bits outside 0775'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l dry-run -d 'Only say what would be fetched (needs --require-static-deltas)'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -s T -l timestamp-check -d 'Refuse commits older than what their ref names now'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l disable-verify-bindings -d 'Do not check that commits were made for the refs that lead to them'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l json -d 'Print each event as a line of JSON'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand pull" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l remote -d 'Write the refs as those of this remote' -r
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l depth -d 'Parents to copy (default: 0; -1 for all)' -r
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l commit-metadata-only -d 'Copy the commit objects only'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l disable-fsync -d 'Do not sync to disk'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l per-object-fsync -d 'Sync each file by itself'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l untrusted -d 'Check the checksums of what is copied'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l bareuseronly-files -d 'Refuse files with mode bits outside 0775'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l require-static-deltas -d 'Fail unless there are static deltas'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l disable-static-deltas -d 'Use no static deltas'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l gpg-verify -d 'Verify the GPG signatures of commits (needs --remote)'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l gpg-verify-summary -d 'Verify the GPG signature of the summary (needs --remote)'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l disable-verify-bindings -d 'Do not check that commits were made for the refs that lead to them'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand pull-local" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand push" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand push" -l depth -d 'Parents to bring along (default: 0; -1 for all)' -r
complete -c ostree -n "__fish_ostree_using_subcommand push" -l stale-age -d 'Keep stale objects for so long after they were written (default: 3600; object stores only)' -r
complete -c ostree -n "__fish_ostree_using_subcommand push" -l jobs -d 'Transfers at a time (default: 8; object stores only)' -r
complete -c ostree -n "__fish_ostree_using_subcommand push" -l network-retries -d 'Tries of a request after the first (default: 10; object stores only)' -r
complete -c ostree -n "__fish_ostree_using_subcommand push" -l ssh -d 'The ssh program with its options (default: $OSTREE_SSH, else ssh)' -r
complete -c ostree -n "__fish_ostree_using_subcommand push" -l remote-ostree -d 'The ostree program of the other machine' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand push" -l force -d 'Move refs to commits that do not follow those they are at'
complete -c ostree -n "__fish_ostree_using_subcommand push" -l disable-static-deltas -d 'Bring no static deltas'
complete -c ostree -n "__fish_ostree_using_subcommand push" -l delete-stale -d 'Delete what no ref of the destination needs, and, unless refs are named, refs that are not here'
complete -c ostree -n "__fish_ostree_using_subcommand push" -l unsigned-summary -d 'Replace a signed summary that cannot be made anew by an unsigned one'
complete -c ostree -n "__fish_ostree_using_subcommand push" -s n -l dry-run -d 'Say what would be done, and change nothing'
complete -c ostree -n "__fish_ostree_using_subcommand push" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand push" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand push" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand push" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand refs" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand refs" -l create -d 'Make a ref for the commit given as argument' -r
complete -c ostree -n "__fish_ostree_using_subcommand refs" -l delete -d 'Delete the refs that match PREFIX'
complete -c ostree -n "__fish_ostree_using_subcommand refs" -l list -d 'Print whole names: do not cut off PREFIX'
complete -c ostree -n "__fish_ostree_using_subcommand refs" -s r -l revision -d 'Print the commit of each ref too'
complete -c ostree -n "__fish_ostree_using_subcommand refs" -s A -l alias -d 'List aliases, or with --create make one'
complete -c ostree -n "__fish_ostree_using_subcommand refs" -s c -l collections -d 'Show collections; PREFIX is a collection ID, NEWREF is COLLECTION-ID:REF'
complete -c ostree -n "__fish_ostree_using_subcommand refs" -l force -d 'With --create, replace a ref that exists'
complete -c ostree -n "__fish_ostree_using_subcommand refs" -l json -d 'Print JSON: whole names, always with the commit'
complete -c ostree -n "__fish_ostree_using_subcommand refs" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand refs" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand refs" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -f -a "add" -d 'Add a remote'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -f -a "delete" -d 'Delete a remote'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -f -a "show-url" -d 'Print the URL of a remote'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -f -a "list" -d 'List the remotes'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -f -a "gpg-import" -d 'Import GPG keys for a remote'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -f -a "gpg-list-keys" -d 'List the GPG keys of a remote, or those that all remotes trust'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -f -a "add-cookie" -d 'Add a cookie that is sent to a remote'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -f -a "delete-cookie" -d 'Delete a cookie of a remote'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -f -a "list-cookies" -d 'List the cookies of a remote'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -f -a "refs" -d 'List the refs that a remote has'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and not __fish_seen_subcommand_from add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary" -f -a "summary" -d 'Print the summary of a remote'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l set -d 'Set any key of the remote\'s configuration (repeatable)' -r
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l sign-verify -d 'Accept only commits signed with this public key (repeatable)' -r
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l gpg-import -d 'Import GPG keys for the remote from this file' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l custom-backend -d 'The remote is fetched from by another program' -r
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l contenturl -d 'Fetch objects from this URL' -r
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l collection-id -d 'The collection that the remote\'s refs belong to' -r
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l sysroot -d 'Sysroot whose remote it becomes, in place of --repo' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l no-gpg-verify -d 'Accept commits without GPG signatures'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l no-sign-verify -d 'Accept commits without any signatures'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l if-not-exists -d 'Leave a remote of that name as it is'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l force -d 'Replace a remote of that name'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from delete" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from delete" -l sysroot -d 'Sysroot whose remote it is, in place of --repo' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from delete" -l if-exists -d 'Do nothing if there is no such remote'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from delete" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from delete" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from delete" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from show-url" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from show-url" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from show-url" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from show-url" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from list" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from list" -s u -l show-urls -d 'Print each remote\'s URL too'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from list" -l json -d 'Print JSON, always with the URL'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from list" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from list" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from gpg-import" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from gpg-import" -s k -l keyring -d 'Import from this file (repeatable)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from gpg-import" -l stdin -d 'Import from standard input'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from gpg-import" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from gpg-import" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from gpg-import" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from gpg-list-keys" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from gpg-list-keys" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from gpg-list-keys" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from gpg-list-keys" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from gpg-list-keys" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add-cookie" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add-cookie" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add-cookie" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from add-cookie" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from delete-cookie" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from delete-cookie" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from delete-cookie" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from delete-cookie" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from list-cookies" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from list-cookies" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from list-cookies" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from list-cookies" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from refs" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from refs" -l cache-dir -d 'Keep summaries in this folder, in place of the repository\'s own' -r -f -a "(__fish_complete_directories)"
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from refs" -s r -l revision -d 'Print each ref\'s commit too'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from refs" -l json -d 'Print JSON, always with commits'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from refs" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from refs" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from refs" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from summary" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from summary" -l print-metadata-key -d 'Print one value of the summary\'s metadata' -r
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from summary" -l cache-dir -d 'Keep summaries in this folder, in place of the repository\'s own' -r -f -a "(__fish_complete_directories)"
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from summary" -l list-metadata-keys -d 'List the keys of the summary\'s metadata'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from summary" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from summary" -l raw -d 'Print the summary as a GVariant, integers byte-swapped'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from summary" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from summary" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand remote; and __fish_seen_subcommand_from summary" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand reset" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand reset" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand reset" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand reset" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand rev-parse" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand rev-parse" -s S -l single -d 'Print the only commit of the repository; fail if it has none or several'
complete -c ostree -n "__fish_ostree_using_subcommand rev-parse" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand rev-parse" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand rev-parse" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand rev-parse" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand serve" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand serve" -l address -d 'Listen at this address (default: 127.0.0.1:8000; port 0 for any that is free)' -r
complete -c ostree -n "__fish_ostree_using_subcommand serve" -l access-log -d 'Write a line for each request to this file (- for standard error)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand serve" -l max-connections -d 'Serve so many connections at a time (default: 256)' -r
complete -c ostree -n "__fish_ostree_using_subcommand serve" -l advertise -d 'Announce the repository to the local network, where `find-remotes --finders=lan` finds it'
complete -c ostree -n "__fish_ostree_using_subcommand serve" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand serve" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand serve" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand show" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand show" -l print-variant-type -d 'Print OBJECT, here the name of a file, as a GVariant of this type' -r
complete -c ostree -n "__fish_ostree_using_subcommand show" -l print-metadata-key -d 'Print one value of the commit\'s metadata' -r
complete -c ostree -n "__fish_ostree_using_subcommand show" -l print-detached-metadata-key -d 'Print one value of the commit\'s detached metadata' -r
complete -c ostree -n "__fish_ostree_using_subcommand show" -l gpg-homedir -d 'GnuPG home with the keyrings to use' -r -f -a "(__fish_complete_directories)"
complete -c ostree -n "__fish_ostree_using_subcommand show" -l gpg-verify-remote -d 'Verify signatures with the keys of this remote' -r
complete -c ostree -n "__fish_ostree_using_subcommand show" -l print-related -d 'Print the commits a commit says it is related to'
complete -c ostree -n "__fish_ostree_using_subcommand show" -l list-metadata-keys -d 'List the keys of the commit\'s metadata'
complete -c ostree -n "__fish_ostree_using_subcommand show" -l print-hex -d 'Print byte arrays as hexadecimal digits'
complete -c ostree -n "__fish_ostree_using_subcommand show" -l list-detached-metadata-keys -d 'List the keys of the commit\'s detached metadata'
complete -c ostree -n "__fish_ostree_using_subcommand show" -l print-sizes -d 'Print what the commit says about its size, and how much of it is missing here'
complete -c ostree -n "__fish_ostree_using_subcommand show" -l raw -d 'Print the object as a GVariant, integers byte-swapped'
complete -c ostree -n "__fish_ostree_using_subcommand show" -s B -l no-byteswap -d 'Print integers as they are stored'
complete -c ostree -n "__fish_ostree_using_subcommand show" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand show" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand show" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand show" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand sign" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand sign" -s s -l sign-type -d 'Kind of signature: ed25519 (the default), spki, dummy' -r
complete -c ostree -n "__fish_ostree_using_subcommand sign" -l keys-file -d 'File with the keys: secret ones to sign, public ones to verify' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand sign" -l keys-dir -d 'Folder with trusted.NAME and revoked.NAME, or such folders, to verify with instead of the system\'s' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand sign" -s d -l delete -d 'Delete the signatures of these keys'
complete -c ostree -n "__fish_ostree_using_subcommand sign" -l verify -d 'Verify instead: one valid signature is enough'
complete -c ostree -n "__fish_ostree_using_subcommand sign" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand sign" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand sign" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and not __fish_seen_subcommand_from list show delete generate apply-offline verify indexes reindex" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and not __fish_seen_subcommand_from list show delete generate apply-offline verify indexes reindex" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and not __fish_seen_subcommand_from list show delete generate apply-offline verify indexes reindex" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and not __fish_seen_subcommand_from list show delete generate apply-offline verify indexes reindex" -f -a "list" -d 'List the deltas of the repository'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and not __fish_seen_subcommand_from list show delete generate apply-offline verify indexes reindex" -f -a "show" -d 'Print what a delta holds'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and not __fish_seen_subcommand_from list show delete generate apply-offline verify indexes reindex" -f -a "delete" -d 'Delete a delta'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and not __fish_seen_subcommand_from list show delete generate apply-offline verify indexes reindex" -f -a "generate" -d 'Make a delta: what a commit adds to another, in few files'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and not __fish_seen_subcommand_from list show delete generate apply-offline verify indexes reindex" -f -a "apply-offline" -d 'Apply a delta that lies in a folder'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and not __fish_seen_subcommand_from list show delete generate apply-offline verify indexes reindex" -f -a "verify" -d 'Check the signatures of a delta'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and not __fish_seen_subcommand_from list show delete generate apply-offline verify indexes reindex" -f -a "indexes" -d 'List the commits that have an index of deltas'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and not __fish_seen_subcommand_from list show delete generate apply-offline verify indexes reindex" -f -a "reindex" -d 'Write the indexes of deltas anew'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from list" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from list" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from list" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from list" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from show" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from show" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from show" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from show" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from delete" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from delete" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from delete" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from delete" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l from -d 'Commit that clients have (default: the parent of TO)' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l from-all -d 'Make a delta from each of the last N commits before TO' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l to -d 'Commit the delta leads to' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l set-endianness -d 'Order of numbers: l (little) or B (big; default: this machine\'s)' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l min-fallback-size -d 'Leave out files larger than this many megabytes, for clients to fetch by themselves (default: 4; 0 for none)' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l max-bsdiff-size -d 'Do not patch files larger than this many megabytes, old and new together (default: 128)' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l max-chunk-size -d 'End parts before this many megabytes (default: 32)' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l threads -d 'Use this many threads (default: one a core); the delta does not depend on it' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l max-memory -d 'Hold about this many megabytes in memory' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l filename -d 'Write the superblock to this file, and parts beside it, not into the repository' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l sign -d 'Sign the delta with this secret key' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l sign-type -d 'Kind of signature (default: ed25519)' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l keys-file -d 'Sign the delta with the secret keys in this file' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l empty -d 'For clients that have nothing'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l scratch -d 'For clients that have nothing: as --empty, and beside --from-all'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l inline -d 'Put the parts into the superblock'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l disable-bsdiff -d 'Do not patch files'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -s n -l if-not-exists -d 'Do nothing if there is such a delta already'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l swap-endianness -d 'The order of numbers that is not this machine\'s'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l max-effort -d 'Take much longer for a smaller delta'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from generate" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from apply-offline" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from apply-offline" -l sign-type -d 'Kind of signature: ed25519 (the default), spki, dummy' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from apply-offline" -l keys-file -d 'File with the public keys' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from apply-offline" -l keys-dir -d 'Folder with trusted.NAME and revoked.NAME, or such folders, to use instead of the system\'s' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from apply-offline" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from apply-offline" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from apply-offline" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from verify" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from verify" -l sign-type -d 'Kind of signature: ed25519 (the default), spki, dummy' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from verify" -l keys-file -d 'File with the public keys' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from verify" -l keys-dir -d 'Folder with trusted.NAME and revoked.NAME, or such folders, to use instead of the system\'s' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from verify" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from verify" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from indexes" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from indexes" -l json -d 'Print JSON'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from indexes" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from indexes" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from indexes" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from reindex" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from reindex" -l to -d 'Only the index of this commit (a checksum)' -r
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from reindex" -s v -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from reindex" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand static-delta; and __fish_seen_subcommand_from reindex" -s h -l help -d 'Show help options'
complete -c ostree -n "__fish_ostree_using_subcommand summary" -l repo -d 'Repository to work on (default: the current directory, then /sysroot/ostree/repo)' -r -F
complete -c ostree -n "__fish_ostree_using_subcommand summary" -l print-metadata-key -d 'Print one value of the summary\'s metadata' -r
complete -c ostree -n "__fish_ostree_using_subcommand summary" -l gpg-sign -d 'Sign with this GPG key (repeatable)' -r
complete -c ostree -n "__fish_ostree_using_subcommand summary" -l gpg-homedir -d 'GnuPG home with the secret keys' -r -f -a "(__fish_complete_directories)"
complete -c ostree -n "__fish_ostree_using_subcommand summary" -l sign -d 'Sign with this secret key (repeatable)' -r
complete -c ostree -n "__fish_ostree_using_subcommand summary" -l sign-type -d 'Kind of signature (default: ed25519)' -r
complete -c ostree -n "__fish_ostree_using_subcommand summary" -s m -l add-metadata -d 'Metadata to add: a value in GVariant text format' -r
complete -c ostree -n "__fish_ostree_using_subcommand summary" -s u -l update -d 'Write the summary anew'
complete -c ostree -n "__fish_ostree_using_subcommand summary" -s v -l view -d 'Print the summary'
complete -c ostree -n "__fish_ostree_using_subcommand summary" -l raw -d 'Print the summary as a GVariant, integers byte-swapped'
complete -c ostree -n "__fish_ostree_using_subcommand summary" -l list-metadata-keys -d 'List the keys of the summary\'s metadata'
complete -c ostree -n "__fish_ostree_using_subcommand summary" -l json -d 'Print JSON (of the whole summary, if nothing else is asked for)'
complete -c ostree -n "__fish_ostree_using_subcommand summary" -l verbose -d 'Print debugging information while working'
complete -c ostree -n "__fish_ostree_using_subcommand summary" -l version -d 'Print version information and exit'
complete -c ostree -n "__fish_ostree_using_subcommand summary" -s h -l help -d 'Show help options'

# Refs and remotes are asked of the repository that the command line names.
function __fish_ostree_repo
    string match -r -- '^--repo=.+' (commandline -opc)
end

function __fish_ostree_refs
    ostree (__fish_ostree_repo) refs 2>/dev/null
end

function __fish_ostree_remotes
    ostree (__fish_ostree_repo) remote list 2>/dev/null
end

complete -c ostree -n "__fish_seen_subcommand_from admin; and __fish_seen_subcommand_from deploy" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from admin; and __fish_seen_subcommand_from set-origin" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from admin; and __fish_seen_subcommand_from set-origin" -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from admin; and __fish_seen_subcommand_from switch" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from cat" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from checkout" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from commit" -l parent -x -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from commit" -l branch -x -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from commit" -s b -x -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from commit" -l bind-ref -x -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from commit" -l base -x -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from create-usb" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from create-usb" -l commit -x -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from diff" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from du" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from export" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from find-remotes" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from gpg-sign" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from log" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from ls" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from prune" -l delete-commit -x -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from prune" -l only-branch -x -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from pull" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from pull" -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from pull" -l timestamp-check-from-rev -x -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from pull-local" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from pull-local" -l remote -x -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from push" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from remote; and __fish_seen_subcommand_from add" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from remote; and __fish_seen_subcommand_from delete" -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from remote; and __fish_seen_subcommand_from show-url" -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from remote; and __fish_seen_subcommand_from gpg-import" -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from remote; and __fish_seen_subcommand_from gpg-list-keys" -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from remote; and __fish_seen_subcommand_from add-cookie" -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from remote; and __fish_seen_subcommand_from delete-cookie" -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from remote; and __fish_seen_subcommand_from list-cookies" -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from remote; and __fish_seen_subcommand_from refs" -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from remote; and __fish_seen_subcommand_from summary" -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from reset" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from rev-parse" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from show" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from show" -l gpg-verify-remote -x -a '(__fish_ostree_remotes)'
complete -c ostree -n "__fish_seen_subcommand_from sign" -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from static-delta; and __fish_seen_subcommand_from generate" -l from -x -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from static-delta; and __fish_seen_subcommand_from generate" -l to -x -a '(__fish_ostree_refs)'
complete -c ostree -n "__fish_seen_subcommand_from static-delta; and __fish_seen_subcommand_from reindex" -l to -x -a '(__fish_ostree_refs)'
