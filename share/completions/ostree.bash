_ostree() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="ostree"
                ;;
            ostree,admin)
                cmd="ostree__subcmd__admin"
                ;;
            ostree,cat)
                cmd="ostree__subcmd__cat"
                ;;
            ostree,checkout)
                cmd="ostree__subcmd__checkout"
                ;;
            ostree,checksum)
                cmd="ostree__subcmd__checksum"
                ;;
            ostree,commit)
                cmd="ostree__subcmd__commit"
                ;;
            ostree,config)
                cmd="ostree__subcmd__config"
                ;;
            ostree,create-usb)
                cmd="ostree__subcmd__create__subcmd__usb"
                ;;
            ostree,diff)
                cmd="ostree__subcmd__diff"
                ;;
            ostree,du)
                cmd="ostree__subcmd__du"
                ;;
            ostree,export)
                cmd="ostree__subcmd__export"
                ;;
            ostree,find-remotes)
                cmd="ostree__subcmd__find__subcmd__remotes"
                ;;
            ostree,fsck)
                cmd="ostree__subcmd__fsck"
                ;;
            ostree,gpg-sign)
                cmd="ostree__subcmd__gpg__subcmd__sign"
                ;;
            ostree,init)
                cmd="ostree__subcmd__init"
                ;;
            ostree,log)
                cmd="ostree__subcmd__log"
                ;;
            ostree,ls)
                cmd="ostree__subcmd__ls"
                ;;
            ostree,prune)
                cmd="ostree__subcmd__prune"
                ;;
            ostree,pull)
                cmd="ostree__subcmd__pull"
                ;;
            ostree,pull-local)
                cmd="ostree__subcmd__pull__subcmd__local"
                ;;
            ostree,push)
                cmd="ostree__subcmd__push"
                ;;
            ostree,refs)
                cmd="ostree__subcmd__refs"
                ;;
            ostree,remote)
                cmd="ostree__subcmd__remote"
                ;;
            ostree,reset)
                cmd="ostree__subcmd__reset"
                ;;
            ostree,rev-parse)
                cmd="ostree__subcmd__rev__subcmd__parse"
                ;;
            ostree,serve)
                cmd="ostree__subcmd__serve"
                ;;
            ostree,show)
                cmd="ostree__subcmd__show"
                ;;
            ostree,sign)
                cmd="ostree__subcmd__sign"
                ;;
            ostree,static-delta)
                cmd="ostree__subcmd__static__subcmd__delta"
                ;;
            ostree,summary)
                cmd="ostree__subcmd__summary"
                ;;
            ostree__subcmd__admin,cleanup)
                cmd="ostree__subcmd__admin__subcmd__cleanup"
                ;;
            ostree__subcmd__admin,config-diff)
                cmd="ostree__subcmd__admin__subcmd__config__subcmd__diff"
                ;;
            ostree__subcmd__admin,deploy)
                cmd="ostree__subcmd__admin__subcmd__deploy"
                ;;
            ostree__subcmd__admin,init-fs)
                cmd="ostree__subcmd__admin__subcmd__init__subcmd__fs"
                ;;
            ostree__subcmd__admin,kargs)
                cmd="ostree__subcmd__admin__subcmd__kargs"
                ;;
            ostree__subcmd__admin,os-init)
                cmd="ostree__subcmd__admin__subcmd__os__subcmd__init"
                ;;
            ostree__subcmd__admin,pin)
                cmd="ostree__subcmd__admin__subcmd__pin"
                ;;
            ostree__subcmd__admin,set-default)
                cmd="ostree__subcmd__admin__subcmd__set__subcmd__default"
                ;;
            ostree__subcmd__admin,set-origin)
                cmd="ostree__subcmd__admin__subcmd__set__subcmd__origin"
                ;;
            ostree__subcmd__admin,stateroot-init)
                cmd="ostree__subcmd__admin__subcmd__stateroot__subcmd__init"
                ;;
            ostree__subcmd__admin,status)
                cmd="ostree__subcmd__admin__subcmd__status"
                ;;
            ostree__subcmd__admin,switch)
                cmd="ostree__subcmd__admin__subcmd__switch"
                ;;
            ostree__subcmd__admin,undeploy)
                cmd="ostree__subcmd__admin__subcmd__undeploy"
                ;;
            ostree__subcmd__admin,upgrade)
                cmd="ostree__subcmd__admin__subcmd__upgrade"
                ;;
            ostree__subcmd__remote,add)
                cmd="ostree__subcmd__remote__subcmd__add"
                ;;
            ostree__subcmd__remote,add-cookie)
                cmd="ostree__subcmd__remote__subcmd__add__subcmd__cookie"
                ;;
            ostree__subcmd__remote,delete)
                cmd="ostree__subcmd__remote__subcmd__delete"
                ;;
            ostree__subcmd__remote,delete-cookie)
                cmd="ostree__subcmd__remote__subcmd__delete__subcmd__cookie"
                ;;
            ostree__subcmd__remote,gpg-import)
                cmd="ostree__subcmd__remote__subcmd__gpg__subcmd__import"
                ;;
            ostree__subcmd__remote,gpg-list-keys)
                cmd="ostree__subcmd__remote__subcmd__gpg__subcmd__list__subcmd__keys"
                ;;
            ostree__subcmd__remote,list)
                cmd="ostree__subcmd__remote__subcmd__list"
                ;;
            ostree__subcmd__remote,list-cookies)
                cmd="ostree__subcmd__remote__subcmd__list__subcmd__cookies"
                ;;
            ostree__subcmd__remote,refs)
                cmd="ostree__subcmd__remote__subcmd__refs"
                ;;
            ostree__subcmd__remote,show-url)
                cmd="ostree__subcmd__remote__subcmd__show__subcmd__url"
                ;;
            ostree__subcmd__remote,summary)
                cmd="ostree__subcmd__remote__subcmd__summary"
                ;;
            ostree__subcmd__static__subcmd__delta,apply-offline)
                cmd="ostree__subcmd__static__subcmd__delta__subcmd__apply__subcmd__offline"
                ;;
            ostree__subcmd__static__subcmd__delta,delete)
                cmd="ostree__subcmd__static__subcmd__delta__subcmd__delete"
                ;;
            ostree__subcmd__static__subcmd__delta,generate)
                cmd="ostree__subcmd__static__subcmd__delta__subcmd__generate"
                ;;
            ostree__subcmd__static__subcmd__delta,indexes)
                cmd="ostree__subcmd__static__subcmd__delta__subcmd__indexes"
                ;;
            ostree__subcmd__static__subcmd__delta,list)
                cmd="ostree__subcmd__static__subcmd__delta__subcmd__list"
                ;;
            ostree__subcmd__static__subcmd__delta,reindex)
                cmd="ostree__subcmd__static__subcmd__delta__subcmd__reindex"
                ;;
            ostree__subcmd__static__subcmd__delta,show)
                cmd="ostree__subcmd__static__subcmd__delta__subcmd__show"
                ;;
            ostree__subcmd__static__subcmd__delta,verify)
                cmd="ostree__subcmd__static__subcmd__delta__subcmd__verify"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        ostree)
            opts="-v -h --verbose --version --help admin cat checkout checksum commit config create-usb diff du export find-remotes fsck gpg-sign init log ls prune pull pull-local push refs remote reset rev-parse serve show sign static-delta summary"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin)
            opts="-v -h --sysroot --print-current-dir --verbose --version --help cleanup config-diff deploy init-fs os-init stateroot-init pin set-origin status switch undeploy set-default upgrade kargs"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__cleanup)
            opts="-v -h --sysroot --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__config__subcmd__diff)
            opts="-v -h --sysroot --os --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --os)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__deploy)
            opts="-v -h --sysroot --os --stateroot --origin-file --no-prune --no-merge --retain --stage --lock-finalization --retain-pending --retain-rollback --not-as-default --karg-proc-cmdline --karg --karg-append --karg-none --karg-delete --overlay-initrd --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --os)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --stateroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --origin-file)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --karg)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --karg-append)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --karg-delete)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --overlay-initrd)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__init__subcmd__fs)
            opts="-E -v -h --sysroot --modern --epoch --repo-mode --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --epoch)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -E)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --repo-mode)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__kargs)
            opts="-v -h --sysroot --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__os__subcmd__init)
            opts="-v -h --sysroot --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__pin)
            opts="-u -v -h --sysroot --unpin --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__set__subcmd__default)
            opts="-v -h --sysroot --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__set__subcmd__origin)
            opts="-s -v -h --sysroot --set --index --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --set)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -s)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --index)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__stateroot__subcmd__init)
            opts="-v -h --sysroot --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__status)
            opts="-V -J -S -D -v -h --sysroot --verify --json --skip-signatures --is-default --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__switch)
            opts="-r -k -v -h --sysroot --reboot --kexec --os --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --os)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__undeploy)
            opts="-v -h --sysroot --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__admin__subcmd__upgrade)
            opts="-r -k -v -h --sysroot --os --reboot --kexec --allow-downgrade --override-commit --pull-only --deploy-only --stage --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --os)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --override-commit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__cat)
            opts="-v -h --repo --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__checkout)
            opts="-U -H -C -M -v -h --repo --user-mode --disable-cache --subpath --union --union-add --union-identical --whiteouts --process-passthrough-whiteouts --allow-noent --from-stdin --from-file --fsync --require-hardlinks --force-copy --bareuseronly-dirs --skip-list --selinux-policy --selinux-prefix --composefs --composefs-noverity --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --subpath)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from-file)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --fsync)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-list)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --selinux-policy)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --selinux-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__checksum)
            opts="-v -h --ignore-xattrs --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__commit)
            opts="-s -m -F -e -b -P -I -v -h --repo --parent --subject --body --body-file --editor --branch --orphan --no-bindings --bind-ref --add-metadata-string --add-metadata --keep-metadata --add-detached-metadata-string --bootable --generate-sizes --generate-composefs-metadata --base --tree --owner-uid --owner-gid --canonical-permissions --mode-ro-executables --no-xattrs --selinux-policy --selinux-policy-from-base --selinux-labeling-epoch --link-checkout-speedup --devino-canonical --tar-autocreate-parents --tar-pathname-filter --statoverride --skip-list --skip-if-unchanged --consume --table-output --gpg-sign --gpg-homedir --sign --sign-type --sign-from-file --fsync --timestamp --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --parent)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --subject)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -s)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --body)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -m)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --body-file)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -F)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --branch)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -b)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --bind-ref)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --add-metadata-string)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --add-metadata)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --keep-metadata)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --add-detached-metadata-string)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --base)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --tree)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --owner-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --owner-gid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --selinux-policy)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --selinux-labeling-epoch)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --tar-pathname-filter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --statoverride)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-list)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --gpg-sign)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --gpg-homedir)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --sign)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sign-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sign-from-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --fsync)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timestamp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__config)
            opts="-v -h --repo --group --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__create__subcmd__usb)
            opts="-v -h --repo --disable-fsync --destination-repo --commit --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --destination-repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --commit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__diff)
            opts="-v -h --repo --stats --fs-diff --no-xattrs --owner-uid --owner-gid --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --owner-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --owner-gid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__du)
            opts="-v -h --repo --depth --bytes --allocated --sort --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --depth)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sort)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__export)
            opts="-o -v -h --repo --no-xattrs --subpath --prefix --output --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --subpath)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --output)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -o)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__find__subcmd__remotes)
            opts="-v -h --repo --cache-dir --disable-fsync --finders --pull --mirror --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cache-dir)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --finders)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__fsck)
            opts="-q -a -v -h --repo --add-tombstones --quiet --all --delete --verify-bindings --verify-back-refs --repair --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --repair)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__gpg__subcmd__sign)
            opts="-d -v -h --repo --delete --gpg-homedir --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --gpg-homedir)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__init)
            opts="-v -h --repo --mode --collection-id --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --mode)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collection-id)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__log)
            opts="-v -h --repo --raw --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__ls)
            opts="-d -R -C -X -v -h --repo --dironly --recursive --checksum --xattrs --nul-filenames-only --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__prune)
            opts="-v -h --repo --no-prune --refs-only --depth --delete-commit --keep-younger-than --static-deltas-only --retain-branch-depth --only-branch --commit-only --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --depth)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --delete-commit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --keep-younger-than)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --retain-branch-depth)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --only-branch)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__pull)
            opts="-L -T -v -h --repo --commit-metadata-only --cache-dir --disable-fsync --per-object-fsync --disable-static-deltas --require-static-deltas --disable-retry-on-network-errors --mirror --subpath --untrusted --http-trusted --bareuseronly-files --dry-run --depth --url --http-header --update-frequency --network-retries --low-speed-limit-bytes --low-speed-time-seconds --max-outstanding-fetcher-requests --localcache-repo --timestamp-check --timestamp-check-from-rev --disable-verify-bindings --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cache-dir)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --subpath)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --depth)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --http-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --update-frequency)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --network-retries)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --low-speed-limit-bytes)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --low-speed-time-seconds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-outstanding-fetcher-requests)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --localcache-repo)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                -L)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --timestamp-check-from-rev)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__pull__subcmd__local)
            opts="-v -h --repo --commit-metadata-only --remote --disable-fsync --per-object-fsync --untrusted --bareuseronly-files --require-static-deltas --disable-static-deltas --gpg-verify --gpg-verify-summary --disable-verify-bindings --depth --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --remote)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --depth)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__push)
            opts="-n -v -h --repo --depth --force --disable-static-deltas --delete-stale --stale-age --unsigned-summary --dry-run --jobs --network-retries --ssh --remote-ostree --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --depth)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --stale-age)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --jobs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --network-retries)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ssh)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --remote-ostree)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__refs)
            opts="-r -A -c -v -h --repo --delete --list --revision --alias --create --collections --force --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --create)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__remote)
            opts="-v -h --verbose --version --help add delete show-url list gpg-import gpg-list-keys add-cookie delete-cookie list-cookies refs summary"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__remote__subcmd__add)
            opts="-v -h --repo --set --no-gpg-verify --no-sign-verify --sign-verify --if-not-exists --force --gpg-import --custom-backend --contenturl --collection-id --sysroot --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --set)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sign-verify)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --gpg-import)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --custom-backend)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --contenturl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collection-id)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__remote__subcmd__add__subcmd__cookie)
            opts="-v -h --repo --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__remote__subcmd__delete)
            opts="-v -h --repo --if-exists --sysroot --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sysroot)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__remote__subcmd__delete__subcmd__cookie)
            opts="-v -h --repo --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__remote__subcmd__gpg__subcmd__import)
            opts="-k -v -h --repo --keyring --stdin --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --keyring)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -k)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__remote__subcmd__gpg__subcmd__list__subcmd__keys)
            opts="-v -h --repo --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__remote__subcmd__list)
            opts="-u -v -h --repo --show-urls --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__remote__subcmd__list__subcmd__cookies)
            opts="-v -h --repo --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__remote__subcmd__refs)
            opts="-r -v -h --repo --revision --cache-dir --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cache-dir)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__remote__subcmd__show__subcmd__url)
            opts="-v -h --repo --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__remote__subcmd__summary)
            opts="-v -h --repo --list-metadata-keys --print-metadata-key --cache-dir --json --raw --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --print-metadata-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cache-dir)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__reset)
            opts="-v -h --repo --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__rev__subcmd__parse)
            opts="-S -v -h --repo --single --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__serve)
            opts="-v -h --repo --address --access-log --max-connections --advertise --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --address)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --access-log)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --max-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__show)
            opts="-B -v -h --repo --print-related --print-variant-type --list-metadata-keys --print-metadata-key --print-hex --list-detached-metadata-keys --print-detached-metadata-key --print-sizes --raw --no-byteswap --gpg-homedir --gpg-verify-remote --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --print-variant-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --print-metadata-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --print-detached-metadata-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --gpg-homedir)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --gpg-verify-remote)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__sign)
            opts="-d -s -v -h --repo --delete --verify --sign-type --keys-file --keys-dir --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sign-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -s)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --keys-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --keys-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__static__subcmd__delta)
            opts="-v -h --verbose --version --help list show delete generate apply-offline verify indexes reindex"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__static__subcmd__delta__subcmd__apply__subcmd__offline)
            opts="-v -h --repo --sign-type --keys-file --keys-dir --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sign-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --keys-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --keys-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__static__subcmd__delta__subcmd__delete)
            opts="-v -h --repo --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__static__subcmd__delta__subcmd__generate)
            opts="-n -v -h --repo --from --empty --scratch --from-all --inline --to --disable-bsdiff --if-not-exists --set-endianness --swap-endianness --min-fallback-size --max-bsdiff-size --max-chunk-size --threads --max-memory --max-effort --filename --sign --sign-type --keys-file --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from-all)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --set-endianness)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-fallback-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-bsdiff-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-chunk-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filename)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sign)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sign-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --keys-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__static__subcmd__delta__subcmd__indexes)
            opts="-v -h --repo --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__static__subcmd__delta__subcmd__list)
            opts="-v -h --repo --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__static__subcmd__delta__subcmd__reindex)
            opts="-v -h --repo --to --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__static__subcmd__delta__subcmd__show)
            opts="-v -h --repo --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__static__subcmd__delta__subcmd__verify)
            opts="-v -h --repo --sign-type --keys-file --keys-dir --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sign-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --keys-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --keys-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ostree__subcmd__summary)
            opts="-u -v -m -h --repo --update --view --raw --list-metadata-keys --print-metadata-key --gpg-sign --gpg-homedir --sign --sign-type --add-metadata --json --verbose --version --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --repo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --print-metadata-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --gpg-sign)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --gpg-homedir)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --sign)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sign-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --add-metadata)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -m)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _ostree -o nosort -o bashdefault -o default ostree
else
    complete -F _ostree -o bashdefault -o default ostree
fi

# What a word stands for: "COMMAND OPTION" or "COMMAND NUMBER-OF-WORD".
_ostree_kind() {
    case "$1" in
        "commit --parent") echo refs;;
        "commit --branch") echo refs;;
        "commit -b") echo refs;;
        "commit --bind-ref") echo refs;;
        "commit --base") echo refs;;
        "create-usb --commit") echo refs;;
        "prune --delete-commit") echo refs;;
        "prune --only-branch") echo refs;;
        "pull --timestamp-check-from-rev") echo refs;;
        "pull-local --remote") echo remotes;;
        "show --gpg-verify-remote") echo remotes;;
        "static-delta generate --from") echo refs;;
        "static-delta generate --to") echo refs;;
        "static-delta reindex --to") echo refs;;
        "admin deploy 1") echo refs;;
        "admin set-origin 1") echo remotes;;
        "admin set-origin 3") echo refs;;
        "admin switch 1") echo refs;;
        "cat 1") echo refs;;
        "checkout 1") echo refs;;
        "create-usb 3") echo refs;;
        "create-usb *") echo refs;;
        "diff 1") echo refs;;
        "diff 2") echo refs;;
        "du *") echo refs;;
        "export 1") echo refs;;
        "find-remotes 2") echo refs;;
        "find-remotes *") echo refs;;
        "gpg-sign 1") echo refs;;
        "log 1") echo refs;;
        "ls 1") echo refs;;
        "pull 1") echo remotes;;
        "pull *") echo refs;;
        "pull-local *") echo refs;;
        "push *") echo refs;;
        "remote add *") echo refs;;
        "remote delete 1") echo remotes;;
        "remote show-url 1") echo remotes;;
        "remote gpg-import 1") echo remotes;;
        "remote gpg-list-keys 1") echo remotes;;
        "remote add-cookie 1") echo remotes;;
        "remote delete-cookie 1") echo remotes;;
        "remote list-cookies 1") echo remotes;;
        "remote refs 1") echo remotes;;
        "remote summary 1") echo remotes;;
        "reset 1") echo refs;;
        "reset 2") echo refs;;
        "rev-parse 1") echo refs;;
        "show 1") echo refs;;
        "sign 1") echo refs;;
    esac
}

# Refs and remotes are asked of the repository that the command line names, before what the definition offers.
_ostree_asking() {
    local cur prev words cword word path="" count=0 at=1 kind="" repo=()
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n =: cur prev words cword
    else
        # Readline splits at = and :, which belong to the words.
        words=() cword=0
        local joined=""
        for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
            if [[ $word == [=:] && ${#words[@]} != 0 ]]; then
                words[${#words[@]}-1]+=$word joined=yes
            elif [[ -n $joined ]]; then
                words[${#words[@]}-1]+=$word joined=""
            else
                words+=("$word")
            fi
        done
        cword=$(( ${#words[@]} - 1 )) cur=${words[${#words[@]}-1]} prev=${words[cword > 0 ? cword - 1 : 0]}
    fi
    local commands=" admin/cleanup admin/config-diff admin/deploy admin/init-fs admin/os-init admin/stateroot-init admin/pin admin/set-origin admin/status admin/switch admin/undeploy admin/set-default admin/upgrade admin/kargs admin cat checkout checksum commit config create-usb diff du export find-remotes fsck gpg-sign init log ls prune pull pull-local push refs remote/add remote/delete remote/show-url remote/list remote/gpg-import remote/gpg-list-keys remote/add-cookie remote/delete-cookie remote/list-cookies remote/refs remote/summary remote reset rev-parse serve show sign static-delta/list static-delta/show static-delta/delete static-delta/generate static-delta/apply-offline static-delta/verify static-delta/indexes static-delta/reindex static-delta summary "
    while (( at < cword )); do
        word=${words[at]}
        case "$word" in
            --repo=*) repo=("$word");;
            --repo) repo=("--repo=${words[at+1]}"); (( at++ ));;
            -*) ;;
            *)
                if [[ $count == 0 && $commands == *" ${path:+$path/}$word "* ]]; then
                    path=${path:+$path/}$word
                else
                    (( count++ ))
                fi;;
        esac
        (( at++ ))
    done
    path=${path//\// }
    if [[ $cur == --*=* ]]; then
        kind=$(_ostree_kind "$path ${cur%%=*}")
        cur=${cur#*=}
    elif [[ $cur != -* ]]; then
        kind=$(_ostree_kind "$path $prev")
        if [[ -z $kind ]]; then
            kind=$(_ostree_kind "$path $(( count + 1 ))")
            [[ -n $kind ]] || kind=$(_ostree_kind "$path *")
        fi
    fi
    case "$kind" in
        refs) COMPREPLY=($(compgen -W "$(ostree "${repo[@]}" refs 2>/dev/null)" -- "$cur"));;
        remotes) COMPREPLY=($(compgen -W "$(ostree "${repo[@]}" remote list 2>/dev/null)" -- "$cur"));;
        *) _ostree "$@"; return;;
    esac
    # Readline takes a colon for the end of a word.
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$cur"
    fi
    if [[ ${#COMPREPLY[@]} == 0 && $cur == "" ]]; then
        _ostree "$@"
    fi
}

complete -F _ostree_asking -o bashdefault -o default ostree
