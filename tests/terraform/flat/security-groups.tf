# A group for each service, with what leaves it inside, and what comes in beside.

resource "aws_security_group" "temporal_history" {
  name        = "${var.project_name}-temporal-history"
  description = "Security group for Temporal History service"
  vpc_id      = aws_vpc.main.id

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = [var.vpc_cidr]
  }

  egress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "temporal_matching" {
  name        = "${var.project_name}-temporal-matching"
  description = "Security group for Temporal Matching service"
  vpc_id      = aws_vpc.main.id

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = [var.vpc_cidr]
  }

  egress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "temporal_frontend" {
  name        = "${var.project_name}-temporal-frontend"
  description = "Security group for Temporal Frontend service"
  vpc_id      = aws_vpc.main.id

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = [var.vpc_cidr]
  }

  egress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "temporal_worker" {
  name        = "${var.project_name}-temporal-worker"
  description = "Security group for Temporal Worker service"
  vpc_id      = aws_vpc.main.id

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = [var.vpc_cidr]
  }

  egress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "temporal_ui" {
  name        = "${var.project_name}-temporal-ui"
  description = "Security group for Temporal UI service"
  vpc_id      = aws_vpc.main.id

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = [var.vpc_cidr]
  }

  egress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "grafana" {
  name        = "${var.project_name}-grafana"
  description = "Security group for Grafana service"
  vpc_id      = aws_vpc.main.id

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = [var.vpc_cidr]
  }

  egress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "adot" {
  name        = "${var.project_name}-adot"
  description = "Security group for ADOT Collector"
  vpc_id      = aws_vpc.main.id

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = [var.vpc_cidr]
  }

  egress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group_rule" "history_membership" {
  type                     = "ingress"
  from_port                = 6934
  to_port                  = 6934
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.temporal_history.id
  security_group_id        = aws_security_group.temporal_history.id
}

resource "aws_security_group_rule" "history_from_frontend" {
  type                     = "ingress"
  from_port                = 7234
  to_port                  = 7234
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.temporal_frontend.id
  security_group_id        = aws_security_group.temporal_history.id
}

resource "aws_security_group_rule" "matching_from_frontend" {
  type                     = "ingress"
  from_port                = 7235
  to_port                  = 7235
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.temporal_frontend.id
  security_group_id        = aws_security_group.temporal_matching.id
}

resource "aws_security_group_rule" "history_membership_from_matching" {
  type                     = "ingress"
  from_port                = 6934
  to_port                  = 6934
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.temporal_matching.id
  security_group_id        = aws_security_group.temporal_history.id
}

resource "aws_security_group_rule" "matching_membership_from_history" {
  type                     = "ingress"
  from_port                = 6935
  to_port                  = 6935
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.temporal_history.id
  security_group_id        = aws_security_group.temporal_matching.id
}

resource "aws_security_group_rule" "frontend_from_worker" {
  type                     = "ingress"
  from_port                = 7233
  to_port                  = 7233
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.temporal_worker.id
  security_group_id        = aws_security_group.temporal_frontend.id
}

resource "aws_security_group_rule" "frontend_from_ui" {
  type                     = "ingress"
  from_port                = 7233
  to_port                  = 7233
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.temporal_ui.id
  security_group_id        = aws_security_group.temporal_frontend.id
}

resource "aws_security_group_rule" "worker_membership_from_frontend" {
  type                     = "ingress"
  from_port                = 6939
  to_port                  = 6939
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.temporal_frontend.id
  security_group_id        = aws_security_group.temporal_worker.id
}

resource "aws_security_group_rule" "temporal_history_metrics_from_adot" {
  type                     = "ingress"
  from_port                = 9090
  to_port                  = 9090
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.adot.id
  security_group_id        = aws_security_group.temporal_history.id
}

resource "aws_security_group_rule" "temporal_frontend_metrics_from_adot" {
  type                     = "ingress"
  from_port                = 9090
  to_port                  = 9090
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.adot.id
  security_group_id        = aws_security_group.temporal_frontend.id
}

resource "aws_security_group_rule" "opensearch_from_history" {
  type                     = "ingress"
  from_port                = 443
  to_port                  = 443
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.temporal_history.id
  security_group_id        = aws_security_group.opensearch.id
}

resource "aws_security_group_rule" "opensearch_from_frontend" {
  type                     = "ingress"
  from_port                = 443
  to_port                  = 443
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.temporal_frontend.id
  security_group_id        = aws_security_group.opensearch.id
}

resource "aws_security_group_rule" "opensearch_from_setup" {
  type                     = "ingress"
  from_port                = 443
  to_port                  = 443
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.opensearch_setup.id
  security_group_id        = aws_security_group.opensearch.id
}
