namespace LocalPlus.Cli;

/// <summary>
/// Installs Debian packages without letting them start a service, now or with the machine: the stack brings its own
/// PostgreSQL, Valkey and nginx and leaves the machine's alone.
/// </summary>
internal sealed class Debian(StepProgress progress)
{
    private const string PolicyFile = "/usr/sbin/policy-rc.d";
    private const string BackportsFile = "/etc/apt/sources.list.d/localplus-backports.sources";
    private const string Keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    public async Task InstallAsync(IReadOnlyList<Requirement> requirements, CancellationToken cancel)
    {
        if (requirements.Any(r => r.Backported))
        {
            await EnsureCandidateAsync(requirements.Where(r => r.Backported).SelectMany(r => r.Packages), cancel);
        }

        var before = InstalledServices(requirements);
        var forbidden = ForbidStarts();
        try
        {
            string[] packages = [.. requirements.SelectMany(r => r.Packages)];
            string[] install = ["install", "-y", "--no-install-recommends", .. packages];
            if ((await AptAsync(install, cancel)).ExitCode != 0)
            {
                // Most often the package lists are old or were never fetched.
                await AptAsync(["update"], cancel);
                var again = await AptAsync(install, cancel);
                if (again.ExitCode != 0)
                {
                    throw new CliFailure(
                        ExitCodes.Failed,
                        $"apt-get could not install {string.Join(' ', packages)}:\n{again.Tail(8)}",
                        $"apt-get install -y {string.Join(' ', packages)}"
                    );
                }
            }

            foreach (var service in InstalledServices(requirements).Except(before))
            {
                await DisableAsync(service, cancel);
            }
        }
        finally
        {
            if (forbidden)
            {
                File.Delete(PolicyFile);
            }
        }
    }

    /// <summary>Debian's own switch against starts during installation; true when it is ours to remove again.</summary>
    private static bool ForbidStarts()
    {
        if (File.Exists(PolicyFile))
        {
            return false;
        }

        File.WriteAllText(PolicyFile, "#!/bin/sh\nexit 101\n");
        File.SetUnixFileMode(PolicyFile, (UnixFileMode)0b111_101_101);
        return true;
    }

    private static HashSet<string> InstalledServices(IEnumerable<Requirement> requirements) =>
        [.. requirements.SelectMany(r => r.Services).Where(s => File.Exists($"/etc/init.d/{s}"))];

    private async Task DisableAsync(string service, CancellationToken cancel)
    {
        progress.Detail = $"keeping Debian's {service} from starting with the machine";
        await new Command("update-rc.d", service, "disable").RunAsync(cancel);
        if (Directory.Exists("/run/systemd/system"))
        {
            await new Command("systemctl", "disable", $"{service}.service").RunAsync(cancel);
        }
    }

    /// <summary>
    /// Adds the backports suite of the mirror that the machine uses already, unless some source has the package.
    /// </summary>
    private async Task EnsureCandidateAsync(IEnumerable<string> packages, CancellationToken cancel)
    {
        foreach (var package in packages)
        {
            if (await HasCandidateAsync(package, cancel))
            {
                continue;
            }

            await AptAsync(["update"], cancel);
            if (await HasCandidateAsync(package, cancel))
            {
                continue;
            }

            var mirror = await MirrorAsync(cancel);
            await File.WriteAllTextAsync(
                BackportsFile,
                $"Types: deb\nURIs: {mirror}\nSuites: bookworm-backports\nComponents: main\nSigned-By: {Keyring}\n",
                cancel
            );
            await AptAsync(["update"], cancel);
        }
    }

    private static async Task<bool> HasCandidateAsync(string package, CancellationToken cancel)
    {
        var policy = await new Command("apt-cache", "policy", package) { Environment = { ["LC_ALL"] = "C" } }.RunAsync(
            cancel
        );
        return policy.Lines.Any(l =>
            l.Contains("Candidate:", StringComparison.Ordinal) && !l.Contains("(none)", StringComparison.Ordinal)
        );
    }

    private static async Task<string> MirrorAsync(CancellationToken cancel)
    {
        var targets = await new Command(
            "apt-get",
            "indextargets",
            "--format",
            "$(CODENAME) $(SITE)",
            "Created-By: Packages"
        ).RunAsync(cancel);
        var line = targets.Lines.FirstOrDefault(l => l.StartsWith("bookworm ", StringComparison.Ordinal));
        return line?.Split(' ')[1]
            ?? throw new CliFailure(
                ExitCodes.NotFound,
                "Valkey is in no package source of this machine",
                "install valkey-server 7.2 or later so that it is in PATH"
            );
    }

    private Task<CommandResult> AptAsync(string[] arguments, CancellationToken cancel) =>
        new Command("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=300", .. arguments])
        {
            Environment = { ["DEBIAN_FRONTEND"] = "noninteractive", ["LC_ALL"] = "C.UTF-8" },
            Limit = Limit,
            OnLine = line => progress.Detail = line,
        }.RunAsync(cancel);
}
