using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using static Microsoft.CodeAnalysis.CSharp.SyntaxFactory;

namespace LocalPlus.Tests.Unit.Ledger.Mutants;

/// <summary>One small change to the posting rules that a test has to notice.</summary>
internal sealed record Mutant(SyntaxTree Tree, SyntaxNode Original, SyntaxNode Changed)
{
    private static readonly Dictionary<SyntaxKind, SyntaxKind> Operators = new()
    {
        [SyntaxKind.LessThanExpression] = SyntaxKind.LessThanOrEqualExpression,
        [SyntaxKind.LessThanOrEqualExpression] = SyntaxKind.LessThanExpression,
        [SyntaxKind.GreaterThanExpression] = SyntaxKind.GreaterThanOrEqualExpression,
        [SyntaxKind.GreaterThanOrEqualExpression] = SyntaxKind.GreaterThanExpression,
        [SyntaxKind.EqualsExpression] = SyntaxKind.NotEqualsExpression,
        [SyntaxKind.NotEqualsExpression] = SyntaxKind.EqualsExpression,
        [SyntaxKind.LogicalAndExpression] = SyntaxKind.LogicalOrExpression,
        [SyntaxKind.LogicalOrExpression] = SyntaxKind.LogicalAndExpression,
        [SyntaxKind.AddExpression] = SyntaxKind.SubtractExpression,
        [SyntaxKind.SubtractExpression] = SyntaxKind.AddExpression,
    };

    /// <summary>Where it is and what it does; the same as long as the line is.</summary>
    public string Name =>
        $"{Path.GetFileName(Tree.FilePath)}: `{Line()}`: `{Shorten(Original)}` becomes `{(Changed is EmptyStatementSyntax ? "nothing" : Shorten(Changed))}`";

    /// <summary>All changes to a file that the check knows of.</summary>
    public static IEnumerable<Mutant> Of(SyntaxTree tree) =>
        from node in tree.GetRoot().DescendantNodes()
        where !node.Ancestors().Any(a => a is InterpolatedStringExpressionSyntax or AttributeSyntax)
        from changed in Changes(node)
        select new Mutant(tree, node, changed);

    public SyntaxTree Apply() =>
        Tree.WithRootAndOptions(Tree.GetRoot().ReplaceNode(Original, Changed.WithTriviaFrom(Original)), Tree.Options);

    private static IEnumerable<SyntaxNode> Changes(SyntaxNode node)
    {
        switch (node)
        {
            case BinaryExpressionSyntax binary when Operators.TryGetValue(binary.Kind(), out var other):
                yield return BinaryExpression(other, binary.Left, binary.Right);
                break;
            case PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalNotExpression } not:
                yield return not.Operand;
                break;
            case PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.UnaryMinusExpression } minus:
                yield return minus.Operand;
                break;
            case LiteralExpressionSyntax { Token.Value: int number }:
                yield return LiteralExpression(SyntaxKind.NumericLiteralExpression, Literal(number + 1));
                break;
            case LiteralExpressionSyntax { RawKind: (int)SyntaxKind.TrueLiteralExpression }:
                yield return LiteralExpression(SyntaxKind.FalseLiteralExpression);
                break;
            case LiteralExpressionSyntax { RawKind: (int)SyntaxKind.FalseLiteralExpression }:
                yield return LiteralExpression(SyntaxKind.TrueLiteralExpression);
                break;
            case IfStatementSyntax choice:
                yield return choice.WithCondition(
                    PrefixUnaryExpression(SyntaxKind.LogicalNotExpression, ParenthesizedExpression(choice.Condition))
                );
                break;
            case MemberAccessExpressionSyntax
            {
                Expression: IdentifierNameSyntax { Identifier.Text: "Math" },
                Name.Identifier.Text: "Min" or "Max"
            } bound:
                yield return bound.WithName(IdentifierName(bound.Name.Identifier.Text == "Min" ? "Max" : "Min"));
                break;
            case ExpressionStatementSyntax { Expression: InvocationExpressionSyntax or AssignmentExpressionSyntax }:
                yield return EmptyStatement();
                break;
        }
    }

    private static string Shorten(SyntaxNode node) =>
        Shorten(
            string.Join(
                ' ',
                node.NormalizeWhitespace().ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            )
        );

    private static string Shorten(string text) => text.Length <= 90 ? text : text[..90] + "…";

    private string Line() =>
        Shorten(Tree.GetText().Lines[Original.GetLocation().GetLineSpan().StartLinePosition.Line].ToString().Trim());
}
