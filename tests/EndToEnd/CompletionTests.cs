using System.Diagnostics;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>What the shells themselves make of half a word.</summary>
public sealed class CompletionTests : IDisposable
{
    /// <summary>A terminal in which somebody types; ^X says what the line is by then.</summary>
    private const string Zsh = """
        zmodload zsh/zpty zsh/zselect
        zpty typing "zsh -f -i"
        zpty -w typing "PROMPT='> '; path=($1 \$path); unsetopt beep; setopt interactivecomments"
        zpty -w typing "source <(localplus completion zsh)"
        zpty -w typing "say() { print -r -- \"\$BUFFER\" > $1/new; mv $1/new $1/line; zle kill-whole-line }"
        zpty -w typing "zle -N say; bindkey '^X' say; bindkey '^I' expand-or-complete; print ready > $1/ready"
        # What it prints is taken from it, or it would wait for that.
        until [[ -e $1/ready ]]; do zpty -r -t typing printed '*'; zselect -t 5; done
        for typed in "${@:2}"; do
          zpty -w -n typing "$typed"$'\t\x18'
          until [[ -e $1/line ]]; do zpty -r -t typing printed '*'; zselect -t 5; done
          cat $1/line
          rm $1/line
        done
        zpty -d typing
        """;

    /// <summary>As bash calls it when the key is pressed.</summary>
    private const string Bash = """
        PATH=$1:$PATH
        source <(localplus completion bash)
        for typed in "${@:2}"; do
          COMP_LINE=$typed COMP_POINT=${#typed}
          read -ra COMP_WORDS <<<"$typed"
          COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
          COMPREPLY=()
          _localplus
          echo "${COMPREPLY[*]}"
        done
        """;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private readonly string folder = Directory.CreateTempSubdirectory("localplus-completion-").FullName;

    [Fact]
    public async Task Zsh_completes_nouns_verbs_groups_values_and_names_of_filters()
    {
        var lines = await TypeAsync(
            ["zsh", "-f", "-c", Zsh, "zsh"],
            "localplus runs bul",
            "localplus runs bulk prev",
            "localplus completion z",
            "true; localplus dlq replay-a",
            "localplus runs list --filter hea"
        );

        Assert.Equal(
            [
                "localplus runs bulk ",
                "localplus runs bulk preview ",
                "localplus completion zsh ",
                "true; localplus dlq replay-all ",
                "localplus runs list --filter health=",
            ],
            lines
        );
    }

    [Fact]
    public async Task Bash_completes_them_too()
    {
        var lines = await TypeAsync(
            ["bash", "-c", Bash, "bash"],
            "localplus runs bul",
            "localplus runs bulk prev",
            "localplus completion z",
            "localplus dlq replay-a"
        );

        Assert.Equal(["bulk", "preview", "zsh", "replay-all"], lines);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>What each line became.</summary>
    private async Task<string[]> TypeAsync(string[] shell, params string[] typed)
    {
        var cli = Path.Combine(CommandLine.Root, "artifacts", "bin", "LocalPlus.Cli", "debug", "LocalPlus.Cli.dll");
        var program = Path.Combine(folder, "localplus");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\nexec dotnet '{cli}' \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var info = new ProcessStartInfo(shell[0], [.. shell[1..], folder, .. typed])
        {
            WorkingDirectory = CommandLine.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["LP_ROOT"] = CommandLine.Root,
                ["LP_STATE_DIR"] = Path.Combine(folder, "state"),
                ["HOME"] = folder,
                ["TERM"] = "dumb",
            },
        };
        using var process = Process.Start(info)!;
        using var limit = new CancellationTokenSource(Limit);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            Assert.True(process.ExitCode == 0, await errors);
            return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
