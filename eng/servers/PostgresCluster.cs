using System.Security.Cryptography;
using System.Text;

namespace LocalPlus.Servers;

/// <summary>A cluster of PostgreSQL: the files that one server runs on.</summary>
public static class PostgresCluster
{
    private static readonly SemaphoreSlim OneAtATime = new(1);

    /// <summary>The command that makes one: UTF-8, sorted by code points, a password always asked for.</summary>
    public static string[] MakingCommand(string folder, string superuser, string passwordFile, params string[] more) =>
        [
            PostgresPrograms.Must("initdb"),
            "-D",
            folder,
            "-U",
            superuser,
            "--auth=scram-sha-256",
            $"--pwfile={passwordFile}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            .. more,
        ];

    /// <summary>A fresh one, made once for an account, a version and a superuser; servers start from copies of
    /// it.</summary>
    internal static async Task<string> TemplateAsync(string superuser, string password, CancellationToken cancel)
    {
        var server = PostgresPrograms.Must("postgres");
        var version = File.GetLastWriteTimeUtc(server).Ticks;
        var key = SHA256.HashData(Encoding.UTF8.GetBytes($"{server}\n{version}\n{superuser}\n{password}"));
        var template = Path.Combine(ServerAccount.Root, $"template-{Convert.ToHexStringLower(key.AsSpan(..8))}");
        await OneAtATime.WaitAsync(cancel);
        try
        {
            if (!Directory.Exists(template))
            {
                await MakeTemplateAsync(superuser, password, template, cancel);
            }
        }
        finally
        {
            OneAtATime.Release();
        }

        return template;
    }

    private static async Task MakeTemplateAsync(
        string superuser,
        string password,
        string template,
        CancellationToken cancel
    )
    {
        var making = await ServerAccount.NewFolderAsync(cancel);

        // Not on standard input, which belongs to this process and not to the server's account.
        var passwordFile = $"{making}.password";
        await ServerAccount.RunAsync(["dd", "status=none", $"of={passwordFile}"], password + "\n", cancel);
        await ServerAccount.RunAsync(
            MakingCommand(making, superuser, passwordFile, "--no-sync", "--no-instructions"),
            cancel
        );
        await ServerAccount.RunAsync(["rm", passwordFile], cancel);

        // The last step is a rename: another process sees all of a template or none, and one of two is enough.
        var renamed = await ServerAccount.TryRunAsync(["mv", "-T", making, template], null, cancel);
        if (renamed.ExitCode != 0)
        {
            await ServerAccount.RunAsync(["rm", "-rf", making], cancel);
            if (!Directory.Exists(template))
            {
                throw new InvalidOperationException(renamed.Stderr);
            }
        }
    }
}
