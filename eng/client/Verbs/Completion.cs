using System.CommandLine;

namespace LocalPlus.Client.Verbs;

/// <summary>
/// Prints what a shell needs to complete our words; the words themselves are asked for when the key is pressed.
/// </summary>
internal static class Completion
{
    private static readonly Argument<string> Shell = new Argument<string>("shell")
    {
        Description = "bash or zsh",
    }.AcceptOnlyFromAmong("bash", "zsh");

    private const string Bash = """
        _localplus() {
          local words=${COMP_LINE#* } word=${COMP_WORDS[COMP_CWORD]}
          local at=$((COMP_POINT - ${#COMP_LINE} + ${#words}))
          mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$at]" "$words" 2>/dev/null)" -- "$word")
        }
        complete -F _localplus localplus ./localplus
        """;

    /// <summary>
    /// Sourced, or as a file _localplus of zsh's fpath, which is run for the first key that asks for it.
    /// </summary>
    private const string Zsh = """
        #compdef localplus
        _localplus() {
          local typed="${(j: :)words[2,CURRENT-1]}"
          typed="${typed:+$typed }$PREFIX"
          local -a found
          found=(${(f)"$("${(Q)words[1]}" "[suggest:${#typed}]" "$typed" 2>/dev/null)"})
          compadd -S '' -- ${(M)found:#*=}
          compadd -- ${found:#*=}
        }
        if [[ $funcstack[1] == _localplus ]]; then
          _localplus "$@"
        else
          (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
          compdef _localplus localplus ./localplus
        fi
        """;

    public static Command Command()
    {
        var command = new Command(
            "completion",
            $"completion for a shell: source <({Client.Shell.Self} completion bash)"
        ).With(Shell);
        command.SetAction(words => Console.WriteLine(words.GetValue(Shell) == "bash" ? Bash : Zsh));
        return command;
    }
}
